# metrics_agent.py
import requests
import psutil
import time
import json
import socket
from datetime import datetime

class MetricsAgent:
    def __init__(self, gateway_url, push_interval=10):
        self.gateway_url = gateway_url
        self.push_interval = push_interval
        self.hostname = socket.gethostname()
        
    def collect_system_metrics(self):
        timestamp = int(time.time() * 1000)
        
        metrics = []
        
        # CPU metrics
        cpu_percent = psutil.cpu_percent(interval=1)
        metrics.append({
            "metric_name": "cpu_usage_percent",
            "timestamp": timestamp,
            "value": cpu_percent,
            "labels": {
                "host": self.hostname,
                "region": "us-east-1",
                "environment": "production"
            }
        })
        
        # Memory metrics
        memory = psutil.virtual_memory()
        metrics.append({
            "metric_name": "memory_usage_percent",
            "timestamp": timestamp,
            "value": memory.percent,
            "labels": {
                "host": self.hostname,
                "region": "us-east-1",
                "environment": "production"
            }
        })
        
        metrics.append({
            "metric_name": "memory_usage_bytes",
            "timestamp": timestamp,
            "value": memory.used,
            "labels": {
                "host": self.hostname,
                "region": "us-east-1",
                "environment": "production"
            }
        })
        
        # Disk metrics
        disk = psutil.disk_usage('/')
        disk_percent = (disk.used / disk.total) * 100
        metrics.append({
            "metric_name": "disk_usage_percent",
            "timestamp": timestamp,
            "value": disk_percent,
            "labels": {
                "host": self.hostname,
                "region": "us-east-1",
                "environment": "production"
            }
        })
        
        return metrics
    
    def push_metrics(self, metrics):
        try:
            response = requests.post(
                f"{self.gateway_url}/metrics",
                json={"metrics": metrics},
                timeout=5
            )
            response.raise_for_status()
            print(f"Successfully pushed {len(metrics)} metrics")
        except requests.exceptions.RequestException as e:
            print(f"Failed to push metrics: {e}")
    
    def run(self):
        while True:
            try:
                metrics = self.collect_system_metrics()
                self.push_metrics(metrics)
                time.sleep(self.push_interval)
            except Exception as e:
                print(f"Error in metrics collection: {e}")
                time.sleep(self.push_interval)

if __name__ == "__main__":
    agent = MetricsAgent("http://metrics-gateway:8080", push_interval=15)
    agent.run()
