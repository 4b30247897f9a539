/**
 * Whether a boolean query parameter is set, as upstream's conversion reads it: all but `0` and `false` in any case, so that
 * `True` of Python is one; absent, it is not (apimachinery pkg/runtime/conversion.go:Convert_Slice_string_To_bool).
 */
export const isFlagSet = (value: string | null | undefined): boolean =>
  value !== null && value !== undefined && !/^(0|false)$/i.test(value);
