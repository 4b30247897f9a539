/** Of each of the two generations. */
const MOST_BYTES = 4 * 1024 * 1024;

type Forms = Map<string, Buffer>;

/**
 * What events look like on the wire, for all who watch at the moment. An object lives on in the cache of the server; its line
 * is wanted for a blink, so it is kept only until some megabytes of others have come.
 */
export class LineCache {
  private young = new WeakMap<object, Forms>();
  private old = new WeakMap<object, Forms>();
  private bytes = 0;

  constructor(private readonly mostBytes = MOST_BYTES) {}

  /** The line of `subject` in this form, made once for all who ask soon after. */
  lineOf(subject: object, form: string, encode: () => Buffer): Buffer {
    const known = this.young.get(subject)?.get(form) ?? this.old.get(subject)?.get(form);
    if (known) return known;
    const line = encode();
    this.makeRoom(line.length);
    const forms = this.young.get(subject);
    if (forms) forms.set(form, line);
    else this.young.set(subject, new Map([[form, line]]));
    return line;
  }

  private makeRoom(length: number): void {
    this.bytes += length;
    if (this.bytes <= this.mostBytes) return;
    this.old = this.young;
    this.young = new WeakMap();
    this.bytes = length;
  }
}
