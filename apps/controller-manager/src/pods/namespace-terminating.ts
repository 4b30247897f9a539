import { StatusError } from '@orrery/apimachinery';

/** The namespace is being deleted: nothing can be created there and nothing has to be. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof StatusError &&
  (error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false);
