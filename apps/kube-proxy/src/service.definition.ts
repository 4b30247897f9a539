import { resources } from '@orrery/api';
import { defineController } from '@orrery/controller';
import type { ControllerDefinition } from '@orrery/controller';
import type { InformerScope } from '@orrery/informers';

/** Label of an EndpointSlice: the service it belongs to. */
export const SERVICE_NAME = 'kubernetes.io/service-name';

const NOT_ANOTHER_PROXYS = '!service.kubernetes.io/service-proxy-name';

/** Services of another proxy never reach this one (k8s 1.20.2 cmd/kube-proxy/app/server.go). */
export const SERVICE_SCOPE: InformerScope = { labelSelector: NOT_ANOTHER_PROXYS };
export const SLICE_SCOPE: InformerScope = {
  labelSelector: `${NOT_ANOTHER_PROXYS},!service.kubernetes.io/headless`,
};
export const nodeScope = (nodeName: string): InformerScope => ({
  fieldSelector: `metadata.name=${nodeName}`,
});

/** A service is computed anew when it or one of its EndpointSlices changes, all of them when this node does. */
export const serviceDefinition = (nodeName: string): ControllerDefinition =>
  defineController('service-rules')
    .for(resources.services, { scope: SERVICE_SCOPE })
    .watches(
      resources.endpointslices,
      ({ metadata: { namespace, labels } }) => {
        const name = labels?.[SERVICE_NAME];
        return namespace && name ? [{ namespace, name }] : [];
      },
      { scope: SLICE_SCOPE },
    )
    .for(resources.nodes, { scope: nodeScope(nodeName) })
    .build();
