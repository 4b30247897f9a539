import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { ImageServiceController } from './image-service/image-service.controller.js';
import { RUNTIME } from './runtime.js';
import type { Runtime } from './runtime.js';
import { RuntimeServiceController } from './runtime-service/runtime-service.controller.js';

@Module({})
export class RuntimeModule {
  static of(runtime: Runtime): DynamicModule {
    return {
      module: RuntimeModule,
      controllers: [RuntimeServiceController, ImageServiceController],
      providers: [{ provide: RUNTIME, useValue: runtime }],
    };
  }
}
