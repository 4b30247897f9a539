/**
 * What history means, without reading it: differences of two states, writes in a few words, who wrote, what a writer
 * that does not say so reacted to, causal chains as steps and as a picture. The API server reads etcd for it, the
 * command line shows what it makes.
 */
export type {
  Actor,
  Because,
  ChainLink,
  ChainRoot,
  Change,
  Explanation,
  LoggedWrite,
  ObjectName,
  StartedContainer,
  Write,
} from './model.js';
export { HistoryGone } from './model.js';
export type {
  ClusterDiff,
  DiffMoment,
  LogMark,
  ObjectHistory,
  ObjectWrite,
  WriteReason,
} from './documents.js';
export { describeChange, diffObjects, isNoise, shortValue } from './diff.js';
export { describeActor, describeObject, isComponent, programOf } from './actor.js';
export type { CauseFacts, WriteFacts } from './to-write.js';
export { toWrite, withoutStates } from './to-write.js';
export type { RelatedObject, Relation } from './relations.js';
export { dependentKindOf, isOwnedBy, relatedTypesOf, relationsOf, typeKey } from './relations.js';
export type { ChainOptions, ChainReader } from './chain.js';
export { causeOf, explainWrite } from './chain.js';
export type { Step, StepKind } from './steps.js';
export { describeRoot, stepsOf } from './steps.js';
export { explanationPage, explanationPicture } from './picture.js';
