import type { KindDescriptor } from '@orrery/api';
import { cloneJson, equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/registry';
import { convertBetween } from '../admission/matching/versioned-object.js';

/** These convert by themselves, to the version that each webhook or policy asks for. */
const OF_ALL_VERSIONS = new Set([
  'MutatingAdmissionPolicy',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionWebhook',
]);

/** The request as one about the current version of the kind; objects of subresources (Scale …) are what they are. */
function asHub(attributes: AdmissionAttributes, hub: KindDescriptor): AdmissionAttributes {
  const { kind, object, oldObject, objectKind } = attributes;
  if (objectKind) return { ...attributes, kind: hub };
  return {
    ...attributes,
    kind: hub,
    ...(object ? { object: cloneJson(convertBetween(object, kind, hub)) } : {}),
    ...(oldObject ? { oldObject: convertBetween(oldObject, kind, hub) } : {}),
  };
}

async function admitAsHub(plugin: AdmissionPlugin, attributes: AdmissionAttributes): Promise<void> {
  const { kind, object, objectKind } = attributes;
  const { hub } = kind;
  if (!hub) return plugin.admit?.(attributes);
  const seen = asHub(attributes, hub);
  const before = seen.object && cloneJson(seen.object);
  await plugin.admit?.(seen);
  if (!object || objectKind || !seen.object || equalJson(seen.object, before)) return;
  const changed = convertBetween(seen.object, hub, kind);
  const target = object as unknown as Record<string, unknown>;
  for (const name of Object.keys(target)) if (!(name in changed)) delete target[name];
  Object.assign(target, changed);
}

/** Plugins that see every object in its current version, as upstream's see the internal one. */
export const admissionAsHub = (plugins: readonly AdmissionPlugin[]): AdmissionPlugin[] =>
  plugins.map((plugin) =>
    OF_ALL_VERSIONS.has(plugin.name)
      ? plugin
      : {
          name: plugin.name,
          handles: (operation) => plugin.handles(operation),
          ...(plugin.admit && { admit: (attributes) => admitAsHub(plugin, attributes) }),
          ...(plugin.validate && {
            validate: (attributes) =>
              plugin.validate?.(
                attributes.kind.hub ? asHub(attributes, attributes.kind.hub) : attributes,
              ),
          }),
        },
  );
