// Specs of 1.20.2 that are left out, each with the reason.
const SKIPS = [];

/** Why a spec is left out; undefined when it is not. */
export const skipReason = (name) => SKIPS.find(({ spec }) => name.includes(spec))?.reason;
