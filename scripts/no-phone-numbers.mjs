// Stands for libphonenumber-js in bundles and tests: class-validator loads the world's phone numbers (450 KB to compile
// at each start) for a decorator that nobody here uses.
export function parsePhoneNumber() {
  throw new Error('IsPhoneNumber is not part of this build');
}
