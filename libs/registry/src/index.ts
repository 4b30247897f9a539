export type { AdmissionAttributes, AdmissionPlugin, Operation } from './admission.js';
export type { RequestContext, UserInfo } from './request-context.js';
