import { BadRequestException } from '@nestjs/common';

/** Rules that do not have the form of rule-set.request.ts; the message names every field. */
export class BadRulesError extends BadRequestException {}

/** Whether a decoder has answered what is wrong, instead of what it was given. */
export const isBad = (decoded: object): decoded is readonly string[] => Array.isArray(decoded);
