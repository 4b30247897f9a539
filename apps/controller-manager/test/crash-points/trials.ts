import type { KubeClient } from '@orrery/client';
import { eventually } from '@orrery/testkit';
import type { ControllerEntry } from '../../src/controller-entry.js';
import { CONTROLLERS } from '../../src/controllers/controllers.js';
import type { ControllerProcess } from './controller-process.js';
import { Mortal } from './mortal.js';
import type { Death } from './mortal.js';
import type { Scenario } from './scenario.js';
import { Stale } from './stale.js';
import type { Staleness } from './stale.js';
import { World } from './world.js';

/** How long nobody may write before a world counts as stable. */
const QUIET_MS = 80;
/** The same for the run that the others are measured by, which must not be judged too early. */
const LONG_QUIET_MS = 400;
const CONVERGE_MS = 120_000;

/** How one run ended. */
export interface Outcome {
  /** Objects as they are in the end, without what chance and time give. */
  readonly picture: readonly string[];
  /** Writes of the controller, in all its lives. */
  readonly writes: number;
  /** Objects that it made, by resource. */
  readonly created: ReadonlyMap<string, number>;
  readonly died: boolean;
  /** What the controller's last life counted, but for durations: lines of Prometheus' text. */
  readonly metrics: readonly string[];
}

export interface ApiUnderTest {
  readonly server: string;
  readonly client: KubeClient;
  /** Holds the files that flags name. */
  readonly folder: string;
}

const entryOf = (name: string): ControllerEntry => {
  const entry = CONTROLLERS.find((one) => one.name === name);
  if (!entry) throw new Error(`there is no controller ${name}`);
  return entry;
};

/** Values that do not hang on how long something took. */
const countsIn = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !/^#|_bucket\{|_sum\b/.test(line));

let forks = 0;

/** Plays a scenario in a world of its own. */
export class Trial {
  constructor(
    private readonly api: ApiUnderTest,
    private readonly scenario: Scenario,
  ) {}

  /** Without any fault, and without a long look at whether that was all. */
  quick(): Promise<Outcome> {
    return this.#play({ quietMs: QUIET_MS });
  }

  /** Without any fault: what the other runs are measured by. */
  clean(): Promise<Outcome> {
    return this.#play({ quietMs: LONG_QUIET_MS });
  }

  /** The controller dies once, and is started again. */
  dying(death: Death, clean: Outcome): Promise<Outcome> {
    return this.#play({ death, clean, quietMs: QUIET_MS });
  }

  /** The controller's caches are behind. */
  stale(staleness: Staleness, clean: Outcome): Promise<Outcome> {
    return this.#play({ staleness, clean, quietMs: QUIET_MS });
  }

  async #play(how: How): Promise<Outcome> {
    const name = `world-${++forks}`;
    const body = JSON.stringify({ name });
    const { code, body: answer } = await this.api.client.raw('/forks', undefined, {
      method: 'POST',
      body,
    });
    if (code !== 201) throw new Error(`no fork: ${answer}`);
    const { server, folder } = this.api;
    const { flags = [] } = this.scenario;
    const world = new World(`${server}/forks/${name}`, {
      folder,
      flags: typeof flags === 'function' ? flags(folder) : flags,
    });
    try {
      await this.scenario.arrange?.(world);
      return await new Run(world, this.scenario, how).play();
    } finally {
      await world.stop();
      await this.api.client.raw(`/forks/${name}`, undefined, { method: 'DELETE' });
    }
  }
}

interface How {
  readonly quietMs: number;
  readonly death?: Death;
  readonly staleness?: Staleness;
  readonly clean?: Outcome;
}

/** One play of a scenario. */
class Run {
  readonly #lives: Mortal[] = [];
  readonly #stale: Stale | undefined;
  #process: ControllerProcess;
  #rebirth: Promise<void> | undefined;

  constructor(
    private readonly world: World,
    private readonly scenario: Scenario,
    private readonly how: How,
  ) {
    this.#stale = how.staleness ? new Stale(how.staleness, world.random) : undefined;
    world.startNodes();
    if (scenario.beside) world.start(scenario.beside.map(entryOf));
    this.#process = this.#live(how.death);
  }

  async play(): Promise<Outcome> {
    const { world, scenario, how } = this;
    for (const act of scenario.acts) {
      if (how.staleness === 'frozen') this.#stale?.arm();
      await act.do(world);
      if (how.staleness === 'frozen') await this.#actBlindly();
      await this.#converge(() => act.until(world));
      await this.#settle();
    }
    if (how.clean) await this.#converge(async () => this.#compare(how.clean));
    await this.#settle();
    if (world.refused.length > 0) throw new Error(`not allowed: ${world.refused.join('; ')}`);
    const picture = await this.#picture();
    if (how.clean) await this.#compare(how.clean, picture);
    const metrics = countsIn(await this.#process.metrics.text());
    return { picture, ...this.#tally(), died: this.#lives.some(({ dead }) => dead), metrics };
  }

  #tally(): Pick<Outcome, 'writes' | 'created'> {
    const created = new Map<string, number>();
    for (const life of this.#lives)
      for (const [resource, count] of life.created)
        created.set(resource, (created.get(resource) ?? 0) + count);
    return { writes: this.#lives.reduce((sum, { writes }) => sum + writes, 0), created };
  }

  /** Lets the controller look again and again while its caches show nothing of what it did. */
  async #actBlindly(): Promise<void> {
    const { clock } = this.world;
    for (let round = 0; round < 40 && !this.#stale?.isFrozen; round++) await clock.sleep(25);
    for (let round = 0; round < 8; round++) {
      this.#process.poke();
      await clock.sleep(25);
    }
    this.#stale?.thaw();
  }

  async #converge(check: () => unknown): Promise<void> {
    const { world, scenario } = this;
    await eventually(
      async () => {
        await this.#rebirth;
        if (scenario.stepMs) await world.clock.step(scenario.stepMs, 1);
        if ((await check()) === false)
          throw new Error(`not yet:\n${(await this.#picture()).join('\n')}`);
      },
      { timeoutMs: CONVERGE_MS, intervalMs: 15 },
    );
  }

  async #picture(): Promise<readonly string[]> {
    const picture = await this.world.picture(this.scenario.kinds);
    return this.scenario.simplify?.(picture) ?? picture;
  }

  async #settle(): Promise<void> {
    await this.world.quiet(this.how.quietMs);
    await this.#rebirth;
  }

  async #compare(clean: Outcome | undefined, given?: readonly string[]): Promise<void> {
    const picture = given ?? (await this.#picture());
    const wanted = new Set(clean?.picture);
    const more = picture.filter((text) => !wanted.has(text));
    const less = [...wanted].filter((text) => !picture.includes(text));
    if (more.length + less.length > 0 || picture.length !== clean?.picture.length)
      throw new Error(`another world:\n+ ${more.join('\n+ ')}\n- ${less.join('\n- ')}`);
  }

  #live(death?: Death): ControllerProcess {
    const mortal = new Mortal(death, () => {
      this.#rebirth = this.#beBornAgain();
    });
    this.#lives.push(mortal);
    const stale = this.#stale;
    return this.world.start([entryOf(this.scenario.controller)], {
      write: (write, send) => mortal.write(write, stale ? () => stale.write(write, send) : send),
      ...(stale ? { watch: stale.watch.bind(stale) } : {}),
    });
  }

  /** The process ends with all that it knew; another starts. */
  async #beBornAgain(): Promise<void> {
    await this.world.kill(this.#process);
    this.#process = this.#live();
  }
}
