import { toApiVersion } from '@orrery/apimachinery';
import type { ServerServices } from '../../extensions.js';
import type { StorageOfCustom } from '../../rest/resource-catalog.js';
import { HookPoster } from '../../webhooks/https-post.js';
import { createServiceResolver } from '../../webhooks/service-resolver.js';
import { ConversionWebhook } from './conversion-webhook.js';
import { ConvertingStorage } from './converting-storage.js';

/** Lays a conversion by webhook over the storage of the custom resources whose definitions ask for it. */
export function conversionStorage(services: ServerServices): StorageOfCustom {
  const poster = new HookPoster(services.clock);
  services.signal.addEventListener('abort', () => {
    poster.close();
  });
  return ({ kind, convertedBy }, storage) => {
    if (!convertedBy) return undefined;
    const { group, versions } = convertedBy.spec;
    const webhook = new ConversionWebhook(convertedBy, {
      poster,
      resolver: createServiceResolver(services),
      random: services.random,
    });
    const stored = versions.find((one) => one.storage)?.name ?? kind.version;
    return new ConvertingStorage(storage, {
      served: toApiVersion(group, kind.version),
      stored: toApiVersion(group, stored),
      convert: (objects, apiVersion, form) => webhook.convert(objects, apiVersion, form),
    });
  };
}
