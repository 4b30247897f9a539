import { resources } from '@orrery/api';
import { defineController } from '@orrery/controller';
import type { ControllerDefinition } from '@orrery/controller';
import type { InformerScope } from '@orrery/informers';

/** Label of an EndpointSlice: the service it belongs to. */
export const SERVICE_NAME = 'kubernetes.io/service-name';

/** Services of another proxy and headless ones never reach this one (k8s cmd/kube-proxy/app/server.go:Run), nor their slices. */
export const SERVED: InformerScope = {
  labelSelector: '!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless',
};
export const nodeScope = (nodeName: string): InformerScope => ({
  fieldSelector: `metadata.name=${nodeName}`,
});

/** A service is computed anew when it or one of its EndpointSlices changes, all of them when this node does. */
export const serviceDefinition = (nodeName: string): ControllerDefinition =>
  defineController('service-rules')
    .for(resources.services, { scope: SERVED })
    .watches(
      resources.endpointslices,
      ({ metadata: { namespace, labels } }) => {
        const name = labels?.[SERVICE_NAME];
        return namespace && name ? [{ namespace, name }] : [];
      },
      { scope: SERVED },
    )
    .for(resources.nodes, { scope: nodeScope(nodeName) })
    .build();
