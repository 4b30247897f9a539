import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import type { Scheduler } from './cycle/scheduler.js';
import { SCHEDULER, SchedulingController } from './scheduling.controller.js';

/** The root module. */
@Module({})
export class SchedulerModule {
  static register(scheduler: Scheduler): DynamicModule {
    return {
      module: SchedulerModule,
      providers: [{ provide: SCHEDULER, useValue: scheduler }],
      controllers: [SchedulingController],
    };
  }
}
