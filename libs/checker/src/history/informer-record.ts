import type { Labels, ObjectVersion } from './object-version.js';
import type { ChangeType } from './watch-record.js';

/** Why an informer replaced its store; only `expired` (410) and `epoch` allow the revision to go back. */
export const REPLACE_REASONS = ['start', 'relist', 'expired', 'epoch'] as const;
export type ReplaceReason = (typeof REPLACE_REASONS)[number];

export type InformerStep =
  | {
      readonly type: 'replace';
      readonly reason: ReplaceReason;
      readonly rv: number;
      readonly items: readonly ObjectVersion[];
      readonly at?: number;
    }
  | {
      readonly type: 'change';
      readonly change: ChangeType;
      readonly object: ObjectVersion;
      readonly at?: number;
    }
  | { readonly type: 'bookmark'; readonly rv: number; readonly at?: number };

/** What one informer saw, in order, and what its store held when everything was quiet. */
export interface InformerRecord {
  readonly client: string;
  readonly scope: string;
  readonly selector?: Labels;
  readonly steps: readonly InformerStep[];
  readonly store: readonly ObjectVersion[];
  /** A LIST made after the end; absent = the log's last state is the measure. */
  readonly list?: { readonly rv: number; readonly items: readonly ObjectVersion[] };
}
