/**
 * CEL, the expression language of CustomResourceDefinitions and admission policies: parser, type checker with upstream's
 * messages, cost estimates, and an evaluator whose cost budget ends every expression (k8s apiserver pkg/cel, cel-go).
 * Expressions never throw, never wait and never run longer than their budget allows; patterns match in linear time.
 */
export { compile, LIMITS } from './program.js';
export type { Compiled, Outcome, Program } from './program.js';
export type { Activation } from './evaluate/frame.js';
export type { CostRange } from './cost/estimate.js';
export type { Environment } from './check/environment.js';
export { patchFunctions, standardFunctions } from './functions/standard.js';
export { regexProblem, matches as matchesRegex } from './functions/regex.js';
export { quantityOf } from './functions/quantities.js';
export { semverOf } from './functions/semvers.js';
export { AuthorizerValue } from './functions/authorization.js';
export type {
  AuthorizationAnswer,
  AuthorizationCheck,
  Authorize,
} from './functions/authorization.js';
export type { CelType, ListType, MapType, ObjectField, ObjectType } from './types/type.js';
export { celTypes, formatType, listOf, mapOf, opaque, optionalOf } from './types/type.js';
export { LIBRARY_TYPES } from './types/signature.js';
export { escapeName, isIdentifier, unescapeName } from './types/escaping.js';
export type { Value } from './values/value.js';
export { ListValue, MapValue, ObjectValue, OptionalValue } from './values/value.js';
export { converterFor, dynFromJson } from './values/json-value.js';
export { toJson } from './values/to-json.js';
export { parseBase64, parseDate, parseDateTime, parseDuration } from './values/formats.js';
export { compileRules } from './schema/rules.js';
export type { CompiledRule } from './schema/rules.js';
export { resolveFieldPath } from './schema/field-path.js';
export { MAX_REQUEST_BYTES, schemaType } from './schema/schema-type.js';
export type { DeclaredType } from './schema/schema-type.js';
export type { RuleSchema, ValidationRule } from './schema/structural.js';
export { admissionRequestType, namespaceType } from './admission/policy-environment.js';
export type { PolicyScope } from './admission/policy-environment.js';
export { PolicyCompiler } from './admission/policy-compiler.js';
export type { PolicyProgram, ResultKind } from './admission/policy-compiler.js';
export { EvaluationError } from './values/value.js';
