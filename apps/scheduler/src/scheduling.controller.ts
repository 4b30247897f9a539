import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Scheduler } from './cycle/scheduler.js';
import { SCHEDULE_POD } from './queue-transport.js';
import type { ScheduleMessage } from './queue-transport.js';

export const SCHEDULER = Symbol('Scheduler');

/** Hands the pods of the queue to the scheduler. */
@Controller()
export class SchedulingController {
  constructor(@Inject(SCHEDULER) private readonly scheduler: Scheduler) {}

  @MessagePattern(SCHEDULE_POD)
  schedule(@Payload() message: ScheduleMessage): void {
    message.written = this.scheduler.schedule(message.pod, message.signal);
    message.decided = this.scheduler.deciding;
  }
}
