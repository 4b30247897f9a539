import { BadRequestException } from '@nestjs/common';

/** Rules that do not have the form of rule-set.request.ts; the message names every field. */
export class BadRulesError extends BadRequestException {}
