import { IsArray, IsIn, IsInt, IsOptional, IsString, Min } from 'class-validator';

/** The fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1) that this kubelet reads; others are refused. */
export class KubeletConfiguration {
  @IsIn(['kubelet.config.k8s.io/v1beta1'])
  apiVersion = '';

  @IsIn(['KubeletConfiguration'])
  kind = '';

  @IsOptional()
  @IsString()
  address?: string;

  @IsOptional()
  @IsInt()
  port?: number;

  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  clusterDNS?: string[];

  @IsOptional()
  @IsString()
  clusterDomain?: string;

  @IsOptional()
  @IsString()
  staticPodPath?: string;

  @IsOptional()
  @IsString()
  podLogsDir?: string;

  @IsOptional()
  @IsInt()
  maxPods?: number;

  @IsOptional()
  @IsString()
  containerRuntimeEndpoint?: string;

  @IsOptional()
  @IsString()
  nodeStatusUpdateFrequency?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  nodeLeaseDurationSeconds?: number;

  @IsOptional()
  @IsString()
  tlsCertFile?: string;

  @IsOptional()
  @IsString()
  tlsPrivateKeyFile?: string;
}
