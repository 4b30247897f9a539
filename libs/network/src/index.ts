/**
 * Pod networks of a node in terms of the kernel: network namespaces, the CNI contract with a built-in bridge plugin, the
 * host-gw and vxlan backends between nodes, and namespaces that stand for the nodes of a cluster on one machine.
 */
export type { ToolOptions, ToolOutcome } from './tool.js';
export {
  ToolError,
  insideNetns,
  ipBatch,
  needNetAdmin,
  needTools,
  runTool,
  tryTool,
} from './tool.js';
export {
  NETNS_FOLDER,
  addNetns,
  deleteNetns,
  listNetns,
  netnsExists,
  netnsPath,
  setSysctls,
  trustOwnAddresses,
} from './netns.js';
export type {
  CniCall,
  CniCommand,
  CniObject,
  CniPlugin,
  CniResult,
  NetworkConfig,
  PluginConfig,
} from './cni/cni.js';
export { CNI_ERROR, CNI_VERSION, CNI_VERSIONS, CniError } from './cni/cni.js';
export type { FoundNetwork } from './cni/network-config.js';
export { findNetworkConfig, parseNetworkConfig } from './cni/network-config.js';
export type { Attachment, CniNetworkOptions } from './cni/cni-network.js';
export { CniNetwork, declares } from './cni/cni-network.js';
export { ExecPlugin } from './cni/exec-plugin.js';
export type { BridgeConfig } from './bridge/bridge-plugin.js';
export { BRIDGE_PLUGIN, BridgePlugin } from './bridge/bridge-plugin.js';
export { Subnet } from './bridge/address-space.js';
export type { Lan, Machine } from './machines.js';
export { createLan, machineNetns, removeLan } from './machines.js';
