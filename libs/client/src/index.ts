export type {
  DeleteQuery,
  KubeClient,
  KubeList,
  ListQuery,
  PatchType,
  ResourceClient,
  WatchEvent,
  WatchQuery,
  WriteQuery,
} from './client.js';
