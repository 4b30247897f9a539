import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { BundleMap } from './bundle-map.js';

/** Frames are asked for again and again where an error is a frequent one. */
const MOST_KEPT = 1000;

/** What is asked of V8's call sites; their text is the frame as V8 prints it. */
interface Frame {
  getFileName(): string | null | undefined;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  toString(): string;
}

/** Rewrites frames of bundles that have a source map beside them. */
export class FrameMapper {
  readonly #maps = new Map<string, BundleMap | undefined>();
  readonly #kept = new Map<string, string>();

  /** The frame as V8 prints it, with the place in the source instead of the one in the bundle where that is known. */
  toSource(site: Frame): string {
    const text = site.toString();
    const file = site.getFileName();
    if (!file?.startsWith('file:')) return text;
    const place = `${file}:${site.getLineNumber() ?? 0}:${site.getColumnNumber() ?? 0}`;
    let mapped = this.#kept.get(place);
    if (mapped === undefined) {
      mapped = this.#find(file, site) ?? place;
      if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
      this.#kept.set(place, mapped);
    }
    return text.replace(place, () => mapped);
  }

  #find(file: string, site: Frame): string | undefined {
    if (!this.#maps.has(file)) this.#maps.set(file, readMap(file));
    const found = this.#maps
      .get(file)
      ?.find(site.getLineNumber() ?? 0, site.getColumnNumber() ?? 0);
    return found && `${fileURLToPath(new URL(found.source, file))}:${found.line}:${found.column}`;
  }
}

function readMap(file: string): BundleMap | undefined {
  const path = `${fileURLToPath(file)}.map`;
  if (existsSync(path)) return new BundleMap(readFileSync(path));
  // As the image has them: a third of its code otherwise.
  const packed = `${path}.gz`;
  return existsSync(packed) ? new BundleMap(gunzipSync(readFileSync(packed))) : undefined;
}

/** Node's own errors are told with their code. */
function headOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  const isNodes = typeof code === 'string' && code.startsWith('ERR_');
  if (!isNodes || error.name.includes(code)) return String(error);
  return `${error.name} [${code}]: ${error.message}`;
}

/**
 * From now on stacks in this process name the sources, as with `--enable-source-maps`, which reads and keeps all maps:
 * 36 MB a process. Here a map is read when a stack that needs it is first asked for.
 */
export function mapStacks(): void {
  const mapper = new FrameMapper();
  Error.prepareStackTrace = (error, sites) => {
    const lines = sites.map((site: Frame) => {
      try {
        return mapper.toSource(site);
      } catch {
        // A map that cannot be read must not hide the error that it was wanted for.
        return site.toString();
      }
    });
    return [headOf(error), ...lines.map((line) => `    at ${line}`)].join('\n');
  };
}
