import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Dataplane } from '@orrery/dataplane';
import { MetricsController } from './metrics.controller.js';
import { RulesController } from './rules/rules.controller.js';

@Module({})
export class DataplaneModule {
  static with(dataplane: Dataplane): DynamicModule {
    return {
      module: DataplaneModule,
      controllers: [RulesController, MetricsController],
      providers: [{ provide: Dataplane, useValue: dataplane }],
    };
  }
}
