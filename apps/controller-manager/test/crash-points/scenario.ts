import type { ResourceRef } from '@orrery/api';
import type { World } from './world.js';

/** Something that a user or a node does, and how one sees that the controller has done its part. */
export interface Act {
  /** Done once. */
  do(world: World): Promise<unknown>;
  /** Neither throws nor answers false once the controller has done what there was to do. */
  until(world: World): Promise<unknown>;
}

/** What one controller is tried on: all of its kinds of writes happen in it. */
export interface Scenario {
  /** Name of the controller that dies, or sees the world too late. */
  readonly controller: string;
  /** Names of the controllers that live on beside it. */
  readonly beside?: readonly string[];
  /** What must be the same in the end. */
  readonly kinds: readonly ResourceRef[];
  /** Flags of the controller manager; in `folder` there are ca.crt, ca.key and sa.key. */
  readonly flags?: readonly string[] | ((folder: string) => readonly string[]);
  /** Takes from the objects, as texts, what chance gives. */
  simplify?(texts: readonly string[]): readonly string[];
  /** What there is before any controller starts. */
  arrange?(world: World): Promise<unknown>;
  readonly acts: readonly Act[];
  /** By which the clock is put ahead again and again, where controllers wait for hours; default 0. */
  readonly stepMs?: number;
  /** Resources of which a second life may make more objects than one life does; each with its reason. */
  readonly mayRepeat?: Readonly<Record<string, string>>;
}
