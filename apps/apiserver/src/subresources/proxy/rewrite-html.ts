import { Transform } from 'node:stream';

/** Attributes that hold URLs, by tag (k8s apimachinery pkg/util/proxy/transport.go:atomsToAttrs). */
const URL_ATTRIBUTES: ReadonlyMap<string, readonly string[]> = new Map([
  ['a', ['href']],
  ['applet', ['codebase']],
  ['area', ['href']],
  ['audio', ['src']],
  ['base', ['href']],
  ['blockquote', ['cite']],
  ['body', ['background']],
  ['button', ['formaction']],
  ['command', ['icon']],
  ['del', ['cite']],
  ['embed', ['src']],
  ['form', ['action']],
  ['frame', ['longdesc', 'src']],
  ['head', ['profile']],
  ['html', ['manifest']],
  ['iframe', ['longdesc', 'src']],
  ['img', ['longdesc', 'src', 'usemap']],
  ['input', ['src', 'usemap', 'formaction']],
  ['ins', ['cite']],
  ['link', ['href']],
  ['object', ['classid', 'codebase', 'data', 'usemap']],
  ['q', ['cite']],
  ['script', ['src']],
  ['source', ['src']],
  ['video', ['poster', 'src']],
]);

/** Elements whose content is text up to their end tag. */
const RAW_TEXT = /^(?:iframe|noembed|noframes|noscript|plaintext|script|style|textarea|title|xmp)$/;

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};
const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi;

/** Without the references to ASCII; of a URL that is left as it is the others do not matter. */
const decodeEntities = (text: string): string =>
  text.replace(ENTITY, (all: string, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? all;
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    return code < 0x80 ? String.fromCharCode(code) : all;
  });

/** As golang.org/x/net/html escapes the values of attributes. */
const encodeEntities = (text: string): string =>
  text.replace(/[&'<>"\r]/g, (one) => (one === '&' ? '&amp;' : `&#${one.charCodeAt(0)};`));

interface Attribute {
  readonly name: string;
  readonly value: string;
  /** Where the value lies, with its quotes. */
  readonly from: number;
  readonly to: number;
}

/** Reads one attribute at a time from inside a tag. */
class AttributeReader {
  constructor(
    private readonly text: string,
    private at: number,
  ) {}

  private skip(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [found = ''] = pattern.exec(this.text) ?? [];
    this.at += found.length;
    return found;
  }

  /** Undefined = the text ends inside the tag; a number = the tag ends before it. */
  next(): Attribute | number | undefined {
    this.skip(/[\s/]*/y);
    if (this.text[this.at] === '>') return this.at + 1;
    const name = this.skip(/[^\s/>=][^\s/>=]*|=[^\s/>=]*/y).toLowerCase();
    this.skip(/\s*/y);
    if (this.at >= this.text.length) return undefined;
    if (this.text[this.at] !== '=') return { name, value: '', from: this.at, to: this.at };
    this.at++;
    this.skip(/\s*/y);
    return this.value(name);
  }

  private value(name: string): Attribute | undefined {
    const from = this.at;
    const quote = this.text[from];
    if (quote === '"' || quote === "'") {
      const end = this.text.indexOf(quote, from + 1);
      this.at = end + 1;
      return end < 0
        ? undefined
        : { name, value: this.text.slice(from + 1, end), from, to: this.at };
    }
    const value = this.skip(/[^\s>]*/y);
    return this.at >= this.text.length ? undefined : { name, value, from, to: this.at };
  }
}

/** A tag that does not end within this is passed on as it is. */
const LONGEST_TAG = 64 * 1024;
/** Of `</plaintext`, less one: so much may be the beginning of an end. */
const LONGEST_END = 10;

/**
 * Rewrites the links of an HTML page as it passes. Bytes beyond the rewritten values stay as they are, so pages of any
 * encoding whose tags are ASCII come through; nothing but one unfinished tag is held back.
 */
export class HtmlLinks extends Transform {
  private rest = '';
  private out: string[] = [];
  /** What ends the current comment or text that is no markup. */
  private until: RegExp | undefined;

  constructor(private readonly link: (url: string) => string) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: string, done: () => void): void {
    this.rest += chunk.toString('latin1');
    const text = this.rest;
    let at = 0;
    for (;;) {
      const next = this.until ? this.plain(text, at, this.until) : this.markup(text, at);
      if (next === undefined) break;
      at = next;
    }
    this.rest = text.slice(this.passed);
    this.push(Buffer.from(this.out.join(''), 'latin1'));
    this.out = [];
    this.passed = 0;
    done();
  }

  override _flush(done: () => void): void {
    this.push(Buffer.from(this.rest, 'latin1'));
    done();
  }

  /** How much of the text is in `out`. */
  private passed = 0;

  private pass(text: string, end: number): void {
    this.out.push(text.slice(this.passed, end));
    this.passed = end;
  }

  /** Over what is no markup; undefined = its end is not here yet. */
  private plain(text: string, at: number, until: RegExp): number | undefined {
    until.lastIndex = at;
    const found = until.exec(text);
    if (!found) {
      this.pass(text, Math.max(at, text.length - LONGEST_END));
      return undefined;
    }
    this.until = undefined;
    return found.index;
  }

  /** To behind the next tag; undefined = it is not whole yet, or there is none. */
  private markup(text: string, at: number): number | undefined {
    const start = text.indexOf('<', at);
    if (start < 0 || text.length - start < 4) {
      this.pass(text, start < 0 ? text.length : start);
      return undefined;
    }
    if (text.startsWith('<!--', start)) {
      this.until = /-->/g;
      return start + 4;
    }
    const [, name] = /^<([a-z][^\s/>]*)/i.exec(text.slice(start, start + 32)) ?? [];
    if (name === undefined) return start + 1;
    this.pass(text, start);
    const isWhole = text.includes('>', start);
    const end = isWhole ? this.tag(text, start + 1 + name.length, name.toLowerCase()) : undefined;
    if (end === undefined && text.length - start > LONGEST_TAG) this.pass(text, text.length);
    return end;
  }

  /** Rewrites the tag whose attributes begin at `at`; undefined = it is not whole yet. */
  private tag(text: string, at: number, name: string): number | undefined {
    const reader = new AttributeReader(text, at);
    const found: Attribute[] = [];
    let next = reader.next();
    for (; typeof next === 'object'; next = reader.next()) found.push(next);
    if (next === undefined) return undefined;
    for (const attribute of found) this.rewrite(text, name, attribute);
    this.pass(text, next);
    if (RAW_TEXT.test(name) && text[next - 2] !== '/') this.until = new RegExp(`</${name}`, 'gi');
    return next;
  }

  private rewrite(text: string, tag: string, { name, value, from, to }: Attribute): void {
    if (!URL_ATTRIBUTES.get(tag)?.includes(name)) return;
    const url = decodeEntities(value);
    const rewritten = this.link(url);
    if (rewritten === url) return;
    this.pass(text, from);
    this.out.push(`"${encodeEntities(rewritten)}"`);
    this.passed = to;
  }
}
