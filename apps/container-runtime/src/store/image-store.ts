import { createHash } from 'node:crypto';
import type { Image, Init } from '@orrery/cri';
import { parseReference } from '../catalog/reference.js';
import type { ImageReference } from '../catalog/reference.js';
import { JsonFolder } from './json-folder.js';

/** An image that was pulled to this node; several names may stand for one. */
export interface ImageRecord {
  /** `sha256:…` of the configuration. */
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
}

const sha256 = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

const repositoryOf = (reference: ImageReference): string =>
  `${reference.registry}/${reference.repository}`;

/** The digest of an image is made from its name, so every node finds the same. */
export function digestOf(reference: ImageReference): string {
  return reference.digest === ''
    ? sha256(`${repositoryOf(reference)}:${reference.tag}`)
    : reference.digest;
}

/** `uid`: of the image's user, where that is known. */
export function toImage(record: ImageRecord, uid?: number): Init<Image> {
  return {
    id: record.id,
    repoTags: record.repoTags,
    repoDigests: record.repoDigests,
    size: record.sizeBytes,
    ...(uid === undefined ? {} : { uid: { value: uid } }),
    spec: { image: record.id },
  };
}

export class ImageStore {
  private readonly folder: JsonFolder<ImageRecord>;
  private readonly images = new Map<string, ImageRecord>();

  constructor(folder: string) {
    this.folder = new JsonFolder<ImageRecord>(folder);
    for (const image of this.folder.load()) this.images.set(image.id, image);
  }

  list(): ImageRecord[] {
    return [...this.images.values()];
  }

  /** By id, by a name with or without registry and tag, or by digest. */
  find(image: string): ImageRecord | undefined {
    const byId = this.images.get(image) ?? this.images.get(`sha256:${image}`);
    if (byId) return byId;
    const reference = parseReference(image);
    if (!reference) return undefined;
    const tagged = `${repositoryOf(reference)}:${reference.tag}`;
    const digested = `${repositoryOf(reference)}@${reference.digest}`;
    return this.list().find(
      (record) =>
        (reference.digest === '' && record.repoTags.includes(tagged)) ||
        record.repoDigests.includes(digested),
    );
  }

  add(reference: ImageReference, sizeBytes: number): ImageRecord {
    const digest = digestOf(reference);
    const id = sha256(`config of ${digest}`);
    const tags = reference.tag === '' ? [] : [`${repositoryOf(reference)}:${reference.tag}`];
    const before = this.images.get(id);
    const record: ImageRecord = {
      id,
      repoTags: [...new Set([...(before?.repoTags ?? []), ...tags])],
      repoDigests: [
        ...new Set([...(before?.repoDigests ?? []), `${repositoryOf(reference)}@${digest}`]),
      ],
      sizeBytes,
    };
    this.images.set(id, record);
    this.folder.save(fileOf(id), record);
    return record;
  }

  remove(record: ImageRecord): void {
    this.images.delete(record.id);
    this.folder.remove(fileOf(record.id));
  }
}

const fileOf = (id: string): string => id.replace('sha256:', '');
