//! The threads that compute password hashes, so that a login never stops a thread that serves others. The queue to
//! them is short: when more people log in than can be served, some are told so at once instead of all waiting in vain.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::password::{HASH_MEMORY_KIB, Password, PasswordHash};

/// A hash occupies a core and 19 MiB: two at once leave the rest of both to the data.
const THREADS_MAX: usize = 2;

/// At some 30 ms a hash, the last in a full queue waits for one or two seconds.
const QUEUE_JOBS_MAX: usize = 64;

/// As long as a client may wait for any answer that says "not now".
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Nothing was decided about the password; the caller answers 503.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HashingError {
    #[error("Too many passwords are being checked at once; nothing was done, try again in a second.")]
    Busy,
    #[error("The password could not be checked in time; nothing was done, try again in a second.")]
    TooSlow,
}

impl HashingError {
    /// In this time each thread computes some thirty hashes, so there is room in the queue again.
    pub const RETRY_AFTER_SECONDS: u64 = 1;
}

type Job = Box<dyn FnOnce() + Send>;

#[derive(Debug)]
pub struct HashingPool {
    /// None only while the pool is dropped: the threads end when nobody can send to them any more.
    queue: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
    wait_max: Duration,
    decoy: PasswordHash,
}

impl HashingPool {
    /// One thread for each core, up to two.
    pub fn start(cores: usize) -> io::Result<Self> {
        Self::with_bounds(cores.clamp(1, THREADS_MAX), QUEUE_JOBS_MAX, WAIT_MAX)
    }

    fn with_bounds(threads: usize, jobs_max: usize, wait_max: Duration) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(jobs_max);
        let mut pool = Self { queue: Some(queue), threads: Vec::new(), wait_max, decoy: PasswordHash::decoy() };
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let jobs = Arc::clone(&jobs);
            let thread = thread::Builder::new().name(format!("hashing-{number}")).spawn(move || work(&jobs))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// What the pool takes at most beside the threads' stacks.
    pub fn memory_bytes_max(&self) -> u64 {
        self.threads.len() as u64 * u64::from(HASH_MEMORY_KIB) * 1024
    }

    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HashingError> {
        self.run(move || PasswordHash::of(&password)).await
    }

    /// `stored` is None when there is no such account. The work is the same then, so that the time of the answer does
    /// not tell which names exist.
    pub async fn verify(&self, password: Password, stored: Option<PasswordHash>) -> Result<bool, HashingError> {
        let exists = stored.is_some();
        let hash = stored.unwrap_or_else(|| self.decoy.clone());
        let right = self.run(move || hash.is_of(&password)).await?;
        Ok(right && exists)
    }

    /// The same for who does not wait, but is told by the thread that has computed it.
    pub fn verify_and_tell(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
        tell: impl FnOnce(bool) + Send + 'static,
    ) -> Result<(), HashingError> {
        let exists = stored.is_some();
        let hash = stored.unwrap_or_else(|| self.decoy.clone());
        self.submit(move || tell(hash.is_of(&password) && exists))
    }

    fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), HashingError> {
        let queue = self.queue.as_ref().expect("taken only by drop");
        queue.try_send(Box::new(job)).map_err(|_| HashingError::Busy)
    }

    async fn run<T: Send + 'static>(&self, compute: impl FnOnce() -> T + Send + 'static) -> Result<T, HashingError> {
        let (reply, answer) = oneshot::channel();
        let job = move || {
            // Whoever asked has gone: computing for nobody would only delay the others.
            if !reply.is_closed() {
                // It may also go while the hash is computed.
                let _ = reply.send(compute());
            }
        };
        self.submit(job)?;
        let answered = timeout(self.wait_max, answer).await.map_err(|_| HashingError::TooSlow)?;
        Ok(answered.expect("a thread answers each job it takes, or its panic ends the process"))
    }
}

impl Drop for HashingPool {
    /// Waits for the hash each thread is at. The queued jobs are not computed: who waited for them had borrowed the
    /// pool, so they are gone.
    fn drop(&mut self) {
        drop(self.queue.take());
        for thread in self.threads.drain(..) {
            // A panic of the thread was reported by the panic itself; one more while dropping would hide it.
            let _ = thread.join();
        }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting, not while computing: the other thread waits behind it for the next job.
        let job = jobs.lock().expect("nothing that could panic runs under this lock").recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use futures::future::join_all;
    use futures::poll;

    use super::*;

    /// Longer than any test: what waits for so long is not waited for.
    const NEVER: Duration = Duration::from_secs(3600);

    fn pool(threads: usize, jobs_max: usize, wait_max: Duration) -> HashingPool {
        HashingPool::with_bounds(threads, jobs_max, wait_max).expect("threads")
    }

    fn password(text: &str) -> Password {
        Password::presented(text.to_owned()).expect("short enough")
    }

    /// A job that tells when it has begun, and ends when the other sender is dropped.
    fn gate() -> (impl FnOnce() + Send, oneshot::Receiver<()>, mpsc::Sender<()>) {
        let (begin, begun) = oneshot::channel();
        let (open, opened) = mpsc::channel::<()>();
        let job = move || {
            begin.send(()).expect("the test waits for the beginning");
            opened.recv().expect_err("the sender is only ever dropped");
        };
        (job, begun, open)
    }

    /// C39
    #[tokio::test]
    async fn a_hash_made_by_the_pool_is_verified_by_it() {
        let pool = pool(1, 1, NEVER);
        let hash = pool.hash(password("Correct4Horse")).await.expect("not busy");
        assert_eq!(pool.verify(password("Correct4Horse"), Some(hash.clone())).await, Ok(true));
        assert_eq!(pool.verify(password("Wrong4Horse"), Some(hash)).await, Ok(false));
    }

    /// C28
    #[tokio::test]
    async fn nobody_logs_in_to_an_account_that_does_not_exist() {
        let mut pool = pool(1, 1, NEVER);
        assert_eq!(pool.verify(password("Correct4Horse"), None).await, Ok(false));
        // Not even with a password that the decoy is of.
        pool.decoy = pool.hash(password("Correct4Horse")).await.expect("not busy");
        assert_eq!(pool.verify(password("Correct4Horse"), None).await, Ok(false));
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_told_at_once_and_the_others_are_served() {
        let pool = pool(1, 2, NEVER);
        let (blocker, begun, open) = gate();
        let mut blocked = Box::pin(pool.run(blocker));
        assert!(poll!(&mut blocked).is_pending());
        begun.await.expect("the thread took the blocker");
        let mut waiting: Vec<_> = (0..2).map(|number| Box::pin(pool.run(move || number))).collect();
        for waiter in &mut waiting {
            assert!(poll!(waiter).is_pending());
        }
        assert_eq!(pool.run(|| 2).await, Err(HashingError::Busy));
        drop(open);
        assert_eq!(blocked.await, Ok(()));
        assert_eq!(join_all(waiting).await, [Ok(0), Ok(1)]);
        assert_eq!(pool.run(|| 3).await, Ok(3));
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_so_and_the_work_is_not_done_for_nobody() {
        let pool = pool(1, 2, Duration::from_millis(10));
        let (blocker, begun, open) = gate();
        let mut blocked = Box::pin(pool.run(blocker));
        assert!(poll!(&mut blocked).is_pending());
        begun.await.expect("the thread took the blocker");
        let computed = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&computed);
        let waited = pool.run(move || counter.fetch_add(1, Ordering::SeqCst)).await;
        assert_eq!(waited, Err(HashingError::TooSlow));
        drop((open, blocked));
        drop(pool);
        assert_eq!(computed.load(Ordering::SeqCst), 0, "the pool's end waits for the queue, so it was skipped");
    }

    #[tokio::test]
    async fn the_end_of_the_pool_is_the_end_of_its_threads() {
        let pool = pool(2, 4, NEVER);
        let held = Arc::new(());
        for _ in 0..4 {
            let held = Arc::clone(&held);
            pool.run(move || drop(held)).await.expect("not busy");
        }
        let abandoned = Arc::clone(&held);
        let mut unfinished = Box::pin(pool.run(move || drop(abandoned)));
        let _ = poll!(&mut unfinished);
        drop(unfinished);
        drop(pool);
        assert_eq!(Arc::strong_count(&held), 1, "no job outlives the pool");
    }

    #[test]
    fn memory_and_threads_stay_bounded_on_any_machine() {
        for (cores, threads) in [(0, 1), (1, 1), (2, 2), (64, 2)] {
            let pool = HashingPool::start(cores).expect("threads");
            assert_eq!(pool.memory_bytes_max(), threads * 19 * 1024 * 1024, "{cores} cores");
        }
    }
}
