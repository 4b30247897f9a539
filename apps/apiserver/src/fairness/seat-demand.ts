import type { Clock } from '@orrery/component';

/** How slowly a past demand is forgotten: by half in five minutes, at a look every ten seconds. */
const MEMORY = 0.977;

/**
 * The seats that a level's requests have or wait for, over time (k8s apiserver util/flowcontrol/fairqueuing/integrator.go,
 * apf_controller.go:seatDemandStats).
 */
export class SeatDemand {
  highWatermark = 0;
  average = 0;
  deviation = 0;
  /** Follows a rise at once and a fall slowly. */
  smoothed = 0;
  private seats = 0;
  private most = 0;
  private area = 0;
  private squares = 0;
  private startedAt: number;
  private changedAt: number;

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {
    this.startedAt = this.changedAt = clock.monotonic();
  }

  add(seats: number): void {
    this.integrate();
    this.seats += seats;
    if (this.seats > this.most) this.most = this.seats;
  }

  /** Ends a period, and tells of it. */
  settle(): void {
    this.integrate();
    const elapsed = this.changedAt - this.startedAt;
    this.highWatermark = this.most;
    this.most = this.seats;
    if (elapsed <= 0) return;
    this.average = this.area / elapsed;
    this.deviation = Math.sqrt(Math.max(0, this.squares / elapsed - this.average ** 2));
    const envelope = this.average + this.deviation;
    this.smoothed = Math.max(envelope, MEMORY * this.smoothed + (1 - MEMORY) * envelope);
    this.area = this.squares = 0;
    this.startedAt = this.changedAt;
  }

  private integrate(): void {
    const now = this.clock.monotonic();
    const elapsed = now - this.changedAt;
    this.changedAt = now;
    this.area += elapsed * this.seats;
    this.squares += elapsed * this.seats ** 2;
  }
}
