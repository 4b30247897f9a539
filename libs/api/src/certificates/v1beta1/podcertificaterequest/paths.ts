import { FieldPath } from '@orrery/apimachinery';

export const SPEC = FieldPath.of('spec');
export const STATUS = FieldPath.of('status');

/** Seconds. */
export const HOUR = 3600;
