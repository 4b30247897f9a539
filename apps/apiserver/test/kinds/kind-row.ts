import type { Json } from '../replica.js';

/** What the contract suite knows of one kind beyond its descriptor. Fields of objects are merged over a legal minimal one. */
export interface KindRow {
  /** Fields beyond the minimal object, as many as are legal together. */
  readonly maximal: Json;
  /** What the server has filled into the minimal object, at least. */
  readonly defaults?: Json;
  /** A legal change of what is declared, as a merge patch. */
  readonly change: Json;
  /** What an update may not change: the patch, the field that is named and the message. */
  readonly frozen?: readonly (readonly [patch: Json, field: string, message: string])[];
  /** A legal status, as a merge patch. */
  readonly status?: Json;
  /** Field selectors that find the maximal object, beside its name. */
  readonly selected?: Readonly<Record<string, string>>;
  /** Names by number where not every DNS name is legal. */
  readonly nameOf?: (name: string) => string;
  /** What an object of that name must say besides: names that follow from fields. */
  readonly named?: (name: string) => Json;
  /** Names cannot be generated. */
  readonly namesFixed?: boolean;
  /** Finalizers of the server's own keep a deleted object until a controller has been there. */
  readonly lingers?: boolean;
}

export type KindRows = Readonly<Record<string, KindRow>>;

export const labels = { app: 'web' };
export const selector = { matchLabels: labels };
