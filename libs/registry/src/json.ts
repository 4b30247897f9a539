/** JSON values are the same where deepEqual says so; undefined fields count as absent. */
export { cloneJson, deepEqual as equalJson } from '@orrery/apimachinery';
