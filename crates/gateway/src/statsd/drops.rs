//! What the kernel dropped of our UDP sockets: the loss that neither end sees by itself.

use std::collections::HashSet;
use std::os::fd::AsRawFd;

use crate::metrics;

/// Our UDP sockets, by the numbers that the kernel lists them by.
#[derive(Debug, Default)]
pub(super) struct KernelDrops {
    inodes: HashSet<String>,
}

impl KernelDrops {
    /// Watches a socket from now on.
    pub(super) fn watch(&mut self, socket: &impl AsRawFd) {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd()));
        let text = link.map(|link| link.to_string_lossy().into_owned());
        let inode = text.unwrap_or_default();
        let inode = inode.strip_prefix("socket:[");
        if let Some(inode) = inode.and_then(|inode| inode.strip_suffix(']')) {
            self.inodes.insert(inode.to_owned());
        }
    }

    /// Shows how many packets were dropped since the sockets were opened.
    pub(super) fn show(&self) {
        if self.inodes.is_empty() {
            return;
        }
        let tables = ["/proc/net/udp", "/proc/net/udp6"];
        let tables = tables.map(|path| std::fs::read_to_string(path).unwrap_or_default());
        let drops = tables.iter().map(|table| self.drops(table)).sum();
        metrics::statsd_kernel_drops(drops);
    }

    /// The last column of our sockets' lines; the tenth is the inode.
    fn drops(&self, table: &str) -> u64 {
        let ours = table.lines().skip(1).filter_map(|line| {
            let mut columns = line.split_whitespace();
            let inode = columns.nth(9)?;
            let drops = columns.next_back()?;
            self.inodes
                .contains(inode)
                .then(|| drops.parse::<u64>().ok())?
        });
        ours.sum::<u64>()
    }
}

#[cfg(test)]
mod tests;
