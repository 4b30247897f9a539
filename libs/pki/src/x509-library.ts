// Only load-x509.ts imports this file, and not before it is needed.
// The library's dependency injection wants Reflect.getMetadata to be there first.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export type X509Library = typeof x509;
export { x509 };
