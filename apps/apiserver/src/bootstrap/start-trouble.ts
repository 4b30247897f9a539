import { ConfigError, parseDuration } from '@orrery/component';
import type { Clock } from '@orrery/component';
import type { StorageError } from '@orrery/storage';
import type { ApiServerOptions } from '../config/options.js';

/** What keeps the server from starting, as far as is known. */
export class StartTrouble {
  #unreadable: StorageError | undefined;

  readonly onUnreadable = (error: StorageError): void => {
    this.#unreadable = error;
  };

  /** What `work` gives, or a failure when what is stored was not read within --storage-initialization-timeout. */
  async within<T>(work: Promise<T>, options: ApiServerOptions, clock: Clock): Promise<T> {
    const limitMs = parseDuration(options.storageInitializationTimeout) ?? 0;
    if (limitMs === 0) return work;
    return new Promise((resolve, reject) => {
      const cancel = clock.after(limitMs, () => {
        reject(this.#lateness(options.storageInitializationTimeout));
      });
      work.then(resolve, reject).finally(cancel);
    });
  }

  #lateness(limit: string): ConfigError {
    const within = `within --storage-initialization-timeout, ${limit}`;
    const cause = this.#unreadable;
    if (!cause) return new ConfigError(`etcd has not answered ${within}`);
    return new ConfigError(`what is stored could not be read ${within}: ${cause.message}`, {
      cause,
    });
  }
}
