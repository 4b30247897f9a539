import { Controller, Inject } from '@nestjs/common';
import { CriController } from '@orrery/cri';
import type * as cri from '@orrery/cri';
import type { Init, RuntimeServiceHandlers } from '@orrery/cri';
import { RUNTIME } from '../runtime.js';
import type { Runtime } from '../runtime.js';
import { checkpointContainer } from './container/checkpoint-container.js';
import { containerStatus } from './container/container-status.js';
import { createContainer } from './container/create-container.js';
import { getContainerEvents } from './container/get-container-events.js';
import { listContainers } from './container/list-containers.js';
import { removeContainer } from './container/remove-container.js';
import { reopenContainerLog } from './container/reopen-container-log.js';
import { startContainer } from './container/start-container.js';
import { stopContainer } from './container/stop-container.js';
import { updateContainerResources } from './container/update-container-resources.js';
import { runtimeConfig } from './runtime/runtime-config.js';
import { status } from './runtime/status.js';
import { updateRuntimeConfig } from './runtime/update-runtime-config.js';
import { version } from './runtime/version.js';
import { listPodSandbox } from './sandbox/list-pod-sandbox.js';
import { podSandboxStatus } from './sandbox/pod-sandbox-status.js';
import { removePodSandbox } from './sandbox/remove-pod-sandbox.js';
import { runPodSandbox } from './sandbox/run-pod-sandbox.js';
import { stopPodSandbox } from './sandbox/stop-pod-sandbox.js';
import { updatePodSandboxResources } from './sandbox/update-pod-sandbox-resources.js';
import { containerStats } from './stats/container-stats.js';
import { listContainerStats } from './stats/list-container-stats.js';
import { listMetricDescriptors } from './stats/list-metric-descriptors.js';
import { listPodSandboxMetrics } from './stats/list-pod-sandbox-metrics.js';
import { listPodSandboxStats } from './stats/list-pod-sandbox-stats.js';
import { podSandboxStats } from './stats/pod-sandbox-stats.js';
import { attach } from './streaming/attach.js';
import { exec } from './streaming/exec.js';
import { execSync } from './streaming/exec-sync.js';
import { portForward } from './streaming/port-forward.js';

@Controller()
@CriController('RuntimeService')
export class RuntimeServiceController implements RuntimeServiceHandlers {
  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  async version(): Promise<Init<cri.VersionResponse>> {
    return version();
  }

  async runPodSandbox(request: cri.RunPodSandboxRequest): Promise<Init<cri.RunPodSandboxResponse>> {
    return runPodSandbox(this.runtime, request);
  }

  async stopPodSandbox(
    request: cri.StopPodSandboxRequest,
  ): Promise<Init<cri.StopPodSandboxResponse>> {
    return stopPodSandbox(this.runtime, request);
  }

  async removePodSandbox(
    request: cri.RemovePodSandboxRequest,
  ): Promise<Init<cri.RemovePodSandboxResponse>> {
    return removePodSandbox(this.runtime, request);
  }

  async podSandboxStatus(
    request: cri.PodSandboxStatusRequest,
  ): Promise<Init<cri.PodSandboxStatusResponse>> {
    return podSandboxStatus(this.runtime, request);
  }

  async listPodSandbox(
    request: cri.ListPodSandboxRequest,
  ): Promise<Init<cri.ListPodSandboxResponse>> {
    return listPodSandbox(this.runtime, request);
  }

  async *streamPodSandboxes(
    request: cri.StreamPodSandboxesRequest,
  ): AsyncIterable<Init<cri.StreamPodSandboxesResponse>> {
    const { items } = await this.listPodSandbox(request);
    yield { podSandboxes: items };
  }

  async createContainer(
    request: cri.CreateContainerRequest,
  ): Promise<Init<cri.CreateContainerResponse>> {
    return createContainer(this.runtime, request);
  }

  async startContainer(
    request: cri.StartContainerRequest,
  ): Promise<Init<cri.StartContainerResponse>> {
    return startContainer(this.runtime, request);
  }

  async stopContainer(request: cri.StopContainerRequest): Promise<Init<cri.StopContainerResponse>> {
    return stopContainer(this.runtime, request);
  }

  async removeContainer(
    request: cri.RemoveContainerRequest,
  ): Promise<Init<cri.RemoveContainerResponse>> {
    return removeContainer(this.runtime, request);
  }

  async listContainers(
    request: cri.ListContainersRequest,
  ): Promise<Init<cri.ListContainersResponse>> {
    return listContainers(this.runtime, request);
  }

  async *streamContainers(
    request: cri.StreamContainersRequest,
  ): AsyncIterable<Init<cri.StreamContainersResponse>> {
    const { containers } = await this.listContainers(request);
    yield { containers };
  }

  async containerStatus(
    request: cri.ContainerStatusRequest,
  ): Promise<Init<cri.ContainerStatusResponse>> {
    return containerStatus(this.runtime, request);
  }

  async updateContainerResources(
    request: cri.UpdateContainerResourcesRequest,
  ): Promise<Init<cri.UpdateContainerResourcesResponse>> {
    return updateContainerResources(this.runtime, request);
  }

  async reopenContainerLog(
    request: cri.ReopenContainerLogRequest,
  ): Promise<Init<cri.ReopenContainerLogResponse>> {
    return reopenContainerLog(this.runtime, request);
  }

  async execSync(request: cri.ExecSyncRequest): Promise<Init<cri.ExecSyncResponse>> {
    return execSync(this.runtime, request);
  }

  async exec(request: cri.ExecRequest): Promise<Init<cri.ExecResponse>> {
    return exec(this.runtime, request);
  }

  async attach(request: cri.AttachRequest): Promise<Init<cri.AttachResponse>> {
    return attach(this.runtime, request);
  }

  async portForward(request: cri.PortForwardRequest): Promise<Init<cri.PortForwardResponse>> {
    return portForward(this.runtime, request);
  }

  async containerStats(
    request: cri.ContainerStatsRequest,
  ): Promise<Init<cri.ContainerStatsResponse>> {
    return containerStats(this.runtime, request);
  }

  async listContainerStats(
    request: cri.ListContainerStatsRequest,
  ): Promise<Init<cri.ListContainerStatsResponse>> {
    return listContainerStats(this.runtime, request);
  }

  async *streamContainerStats(
    request: cri.StreamContainerStatsRequest,
  ): AsyncIterable<Init<cri.StreamContainerStatsResponse>> {
    const { stats } = await this.listContainerStats(request);
    yield { containerStats: stats };
  }

  async podSandboxStats(
    request: cri.PodSandboxStatsRequest,
  ): Promise<Init<cri.PodSandboxStatsResponse>> {
    return podSandboxStats(this.runtime, request);
  }

  async listPodSandboxStats(
    request: cri.ListPodSandboxStatsRequest,
  ): Promise<Init<cri.ListPodSandboxStatsResponse>> {
    return listPodSandboxStats(this.runtime, request);
  }

  async *streamPodSandboxStats(
    request: cri.StreamPodSandboxStatsRequest,
  ): AsyncIterable<Init<cri.StreamPodSandboxStatsResponse>> {
    const { stats } = await this.listPodSandboxStats(request);
    yield { podSandboxStats: stats };
  }

  async updateRuntimeConfig(
    request: cri.UpdateRuntimeConfigRequest,
  ): Promise<Init<cri.UpdateRuntimeConfigResponse>> {
    return updateRuntimeConfig(this.runtime, request);
  }

  async status(request: cri.StatusRequest): Promise<Init<cri.StatusResponse>> {
    return status(this.runtime, request);
  }

  async checkpointContainer(): Promise<Init<cri.CheckpointContainerResponse>> {
    return checkpointContainer();
  }

  getContainerEvents(
    _request: cri.GetEventsRequest,
    signal: AbortSignal,
  ): AsyncIterable<Init<cri.ContainerEventResponse>> {
    return getContainerEvents(this.runtime, signal);
  }

  async listMetricDescriptors(): Promise<Init<cri.ListMetricDescriptorsResponse>> {
    return listMetricDescriptors();
  }

  async listPodSandboxMetrics(): Promise<Init<cri.ListPodSandboxMetricsResponse>> {
    return listPodSandboxMetrics(this.runtime);
  }

  async *streamPodSandboxMetrics(): AsyncIterable<Init<cri.StreamPodSandboxMetricsResponse>> {
    yield await Promise.resolve(listPodSandboxMetrics(this.runtime));
  }

  async runtimeConfig(): Promise<Init<cri.RuntimeConfigResponse>> {
    return runtimeConfig();
  }

  async updatePodSandboxResources(
    request: cri.UpdatePodSandboxResourcesRequest,
  ): Promise<Init<cri.UpdatePodSandboxResourcesResponse>> {
    return updatePodSandboxResources(this.runtime, request);
  }
}
