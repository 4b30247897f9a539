import type { Init, ListMetricDescriptorsResponse } from '@orrery/cri';
import { DESCRIPTORS } from './metric-descriptors.js';

export function listMetricDescriptors(): Init<ListMetricDescriptorsResponse> {
  return {
    descriptors: DESCRIPTORS.map(({ name, help, labelKeys }) => ({ name, help, labelKeys })),
  };
}
