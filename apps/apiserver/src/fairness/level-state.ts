import type { PriorityLevelConfiguration } from '@orrery/api';
import type { Clock } from '@orrery/component';
import type { Borrower, SeatLimits } from './borrow-seats.js';
import { PriorityLevel } from './priority-level.js';
import type { SeatDemand } from './seat-demand.js';

export const nameOf = ({ metadata }: { readonly metadata?: { readonly name?: string } }): string =>
  metadata?.name ?? '';

export const sharesOf = ({ spec }: PriorityLevelConfiguration): number =>
  spec?.limited?.nominalConcurrencyShares ?? spec?.exempt?.nominalConcurrencyShares ?? 0;

/** Seats of the whole server, and the shares that it is divided into. */
export interface Division {
  readonly seats: number;
  readonly shares: number;
}

/** k8s apiserver util/flowcontrol/apf_controller.go:finishQueueSetReconfigsLocked */
function limitsOf(one: PriorityLevelConfiguration, { seats, shares }: Division): SeatLimits {
  const { spec } = one;
  const nominal = Math.ceil((seats * sharesOf(one)) / shares);
  const part = (percent: number): number => Math.round((nominal * percent) / 100);
  const borrowed = spec?.limited?.borrowingLimitPercent;
  return {
    isExempt: spec?.type === 'Exempt',
    nominal,
    lower: nominal - part(spec?.limited?.lendablePercent ?? spec?.exempt?.lendablePercent ?? 0),
    upper: nominal + (borrowed === undefined ? seats : part(borrowed)),
  };
}

/** The most seats of one request, as a part of its level's (apf_controller.go:GetMaxSeats). */
const WIDEST = 0.15;

/** One priority level: what its object says of it, what it may use now, and who is in it. */
export class LevelState implements Borrower {
  readonly name: string;
  readonly level: PriorityLevel;
  limits: SeatLimits;
  current: number;
  target = 0;
  /** Its object is gone; it ends with its last request. */
  isQuiescing = false;
  uid = '';
  private configuration: PriorityLevelConfiguration;

  constructor(configuration: PriorityLevelConfiguration, division: Division, clock: Clock) {
    this.name = nameOf(configuration);
    this.configuration = configuration;
    this.limits = limitsOf(configuration, division);
    const { nominal, lower } = this.limits;
    this.current = nominal - Math.trunc((nominal - lower) / 2);
    this.level = new PriorityLevel({ seats: 0, queues: 0, handSize: 1, queueLength: 0 }, clock);
    this.configure(configuration, division);
  }

  get demand(): SeatDemand {
    return this.level.demand;
  }

  /** The most seats of one request; 0 = as many as the server allows. */
  get widest(): number {
    const { isExempt, nominal } = this.limits;
    return isExempt ? 0 : Math.max(1, Math.round(nominal * WIDEST));
  }

  configure(configuration: PriorityLevelConfiguration, division: Division): void {
    this.configuration = configuration;
    this.limits = limitsOf(configuration, division);
    this.uid = configuration.metadata?.uid ?? '';
    this.isQuiescing = false;
    this.apply();
  }

  /** Lets the level use what it has been given. */
  apply(): void {
    const queuing = this.configuration.spec?.limited?.limitResponse?.queuing;
    const { isExempt, nominal } = this.limits;
    // A level that has lent its last seat must not keep its next request for ten seconds.
    const seats = Math.max(this.current, Math.min(1, nominal));
    this.level.configure({
      seats: isExempt ? undefined : seats,
      queues: queuing ? (queuing.queues ?? 64) : 0,
      handSize: queuing?.handSize ?? 8,
      queueLength: queuing?.queueLengthLimit ?? 50,
    });
  }
}
