# Optimized push agent with batching
import asyncio
import aiohttp
from collections import deque
import gzip
import json

class BatchingMetricsAgent:
    def __init__(self, gateway_url, batch_size=100, flush_interval=10):
        self.gateway_url = gateway_url
        self.batch_size = batch_size
        self.flush_interval = flush_interval
        self.metrics_buffer = deque()
        
    async def add_metric(self, metric):
        self.metrics_buffer.append(metric)
        
        if len(self.metrics_buffer) >= self.batch_size:
            await self.flush_metrics()
    
    async def flush_metrics(self):
        if not self.metrics_buffer:
            return
            
        # Get current batch
        batch = []
        for _ in range(min(self.batch_size, len(self.metrics_buffer))):
            if self.metrics_buffer:
                batch.append(self.metrics_buffer.popleft())
        
        if batch:
            await self.send_batch(batch)
    
    async def send_batch(self, metrics):
        try:
            # Compress payload
            payload = json.dumps({"metrics": metrics}).encode('utf-8')
            compressed_payload = gzip.compress(payload)
            
            async with aiohttp.ClientSession() as session:
                async with session.post(
                    f"{self.gateway_url}/metrics",
                    data=compressed_payload,
                    headers={
                        'Content-Type': 'application/json',
                        'Content-Encoding': 'gzip'
                    },
                    timeout=aiohttp.ClientTimeout(total=30)
                ) as response:
                    if response.status == 200:
                        print(f"Successfully sent batch of {len(metrics)} metrics")
                    else:
                        print(f"Failed to send batch: {response.status}")
                        
        except Exception as e:
            print(f"Error sending batch: {e}")
            # Re-add metrics to buffer for retry
            self.metrics_buffer.extendleft(reversed(metrics))
