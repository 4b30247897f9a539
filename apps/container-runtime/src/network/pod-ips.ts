import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CriError } from '@orrery/cri';
import { Subnet } from '@orrery/network';

/** A block of pod addresses; undefined for anything else. */
function parseCidr(cidr: string): Subnet | undefined {
  try {
    const range = Subnet.parse(cidr);
    return range.bits >= 8 ? range : undefined;
  } catch {
    return undefined;
  }
}

/** Hands out addresses of one pod CIDR of the node, least recently used first, never those ending in .0 or .255. */
export class PodIps {
  private range: Subnet | undefined;
  private cidr = '';
  private next = 0n;
  private readonly used = new Set<string>();

  constructor(
    private readonly root: string,
    private readonly name = 'network.json',
  ) {
    try {
      const saved = JSON.parse(readFileSync(this.file, 'utf8')) as {
        podCidr: string;
        next: number;
      };
      this.range = parseCidr(saved.podCidr);
      this.cidr = this.range ? saved.podCidr : '';
      this.next = BigInt(saved.next);
    } catch {
      this.range = undefined;
    }
  }

  private get file(): string {
    return join(this.root, this.name);
  }

  get podCidr(): string {
    return this.cidr;
  }

  /** Empty text changes nothing, as the kubelet sends it while the node has no CIDR. */
  setPodCidr(cidr: string): void {
    if (cidr === '' || cidr === this.cidr) return;
    const range = parseCidr(cidr);
    if (!range) throw new CriError('INVALID_ARGUMENT', `invalid pod CIDR "${cidr}"`);
    this.range = range;
    this.cidr = cidr;
    this.next = 0n;
    this.save();
  }

  private save(): void {
    const text = JSON.stringify({ podCidr: this.cidr, next: Number(this.next) });
    writeFileSync(`${this.file}.new`, text);
    renameSync(`${this.file}.new`, this.file);
  }

  /** Marks an address of a sandbox that was found at start. */
  reserve(ip: string): void {
    this.used.add(ip);
  }

  allocate(): string {
    const { range } = this;
    if (!range)
      throw new CriError(
        'UNKNOWN',
        'failed to setup network for sandbox: the pod CIDR of this node is not known yet',
      );
    // The network's own address and the one of a bridge, as CNI's host-local keeps them, so the first pod gets .2.
    const count = range.size + (range.family === 4 ? 1n : 0n);
    const tries = count < 65_536n ? count : 65_536n;
    for (let tried = 0n; tried < tries; tried++) {
      const index = (this.next + tried) % count;
      const ip = range.at(index);
      if (/\.(?:0|255)$/.test(ip) || this.used.has(ip)) continue;
      this.next = (index + 1n) % count;
      this.used.add(ip);
      this.save();
      return ip;
    }
    throw new CriError(
      'RESOURCE_EXHAUSTED',
      `failed to setup network for sandbox: no IP addresses available in range ${this.cidr}`,
    );
  }

  release(ip: string): void {
    this.used.delete(ip);
  }
}
