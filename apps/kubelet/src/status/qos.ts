import { podQosClass } from '@orrery/api';
import type { Pod } from '@orrery/api';

/** k8s pkg/apis/core/v1/helper/qos/qos.go:ComputePodQOS. */
export const qosClassOf = ({ spec }: Pod): ReturnType<typeof podQosClass> => podQosClass(spec);
