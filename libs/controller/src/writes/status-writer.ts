import { deepEqual } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import type { ResourceClient } from '@orrery/client';

type WithStatus<S> = KubeObject & { status?: S };

/** A JSON value without absent fields: what the server would store. */
const toWire = <S>(value: S): S => JSON.parse(JSON.stringify(value)) as S;

/** Writes /status only when it says something new. */
export class StatusWriter<S, T extends WithStatus<S>> {
  constructor(private readonly client: ResourceClient<T>) {}

  /** True when it wrote. The object must be the version that `status` was judged from: a conflict rejects. */
  async writeIfChanged(object: T, status: S): Promise<boolean> {
    if (deepEqual(status, object.status ?? {})) return false;
    await this.write(object, status);
    return true;
  }

  /** For objects whose metadata is changed along with it. */
  async write(object: T, status: S): Promise<void> {
    await this.client.updateStatus({ ...object, status: toWire(status) });
  }
}

/** The fields that upstream's encoding would not leave out as empty: so that statuses compare equal on any server. */
export function omitEmpty<T extends object>(value: T): T {
  const entries = Object.entries(value).filter(
    ([, v]) => v !== undefined && v !== null && v !== 0 && v !== '' && v !== false,
  );
  return Object.fromEntries(entries) as T;
}
