// What is done to each place of an object: each answers a name and the value that takes the place's ("absent" removes it).
export const ABSENT = Symbol('absent');

/** All places of a value, as lists of keys, the outer ones first. */
export function* placesOf(value, at = []) {
  if (at.length > 0) yield at;
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) yield* placesOf(value[key], [...at, key]);
}

export const valueAt = (value, place) => place.reduce((inner, key) => inner?.[key], value);

/** A copy with another value at the place. */
export function replaced(value, place, to) {
  const copy = structuredClone(value);
  const holder = valueAt(copy, place.slice(0, -1));
  const key = place.at(-1);
  if (to !== ABSENT) holder[key] = to;
  else if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
  return copy;
}

const STRINGS = {
  empty: '',
  'no name': 'Bad_Name!',
  long: 'a'.repeat(300),
  'a number': 5,
  spaces: ' x ',
  slashes: 'a/b/c',
  dots: '..',
  other: 'other',
  'upper case': 'OTHER',
};
const NUMBERS = {
  negative: -1,
  zero: 0,
  two: 2,
  'beyond ports': 70_000,
  'beyond int32': 2 ** 40,
  'a fraction': 1.5,
  'a string': 'x',
};

function ofList(list) {
  const [first] = list;
  if (first === undefined) return {};
  return {
    'its first item twice': [...list, first],
    'a null item': [...list, null],
    ...(typeof first === 'object' ? { 'an empty item': [...list, {}] } : {}),
    ...(list.length > 1 ? { reversed: list.toReversed() } : {}),
  };
}

function ofMap(map) {
  const values = Object.values(map);
  if (values.length === 0 || values.some((one) => typeof one !== 'string')) return {};
  return {
    'a bad key': { ...map, 'bad key!': 'x' },
    'a long key': { ...map, ['k'.repeat(70)]: 'x' },
    'a long prefix': { ...map, [`${'k'.repeat(260)}/x`]: 'x' },
    'a number among strings': { ...map, k9: 5 },
    'a bad value': { ...map, k9: 'bad value!' },
    'a long value': { ...map, k9: 'v'.repeat(70) },
    'one more': { ...map, k9: 'v' },
  };
}

function ofKind(value) {
  if (typeof value === 'string') return STRINGS;
  if (typeof value === 'number') return NUMBERS;
  if (typeof value === 'boolean') return { negated: !value, 'a string': 'true' };
  if (Array.isArray(value)) return { '[]': [], 'an object': {}, 'a string': 'x', ...ofList(value) };
  return {
    '{}': {},
    'a list': [],
    'a string': 'x',
    'an unknown field': { ...value, zzUnknown: 1 },
    ...ofMap(value),
  };
}

/** [name, value] of all that the place can be given. */
export function mutationsOf(value) {
  const isNothing = value === null || value === undefined;
  const all = { absent: ABSENT, null: null, ...(isNothing ? {} : ofKind(value)) };
  return Object.entries(all).filter(([, to]) => to !== value);
}
