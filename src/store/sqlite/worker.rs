//! The threads that own the connections.
//!
//! One thread writes. What waits while it commits goes into its next transaction together, each write in a savepoint of its own: under load
//! many writes share one `fsync`, and none is answered before it is on the disk. A few threads read beside it, each from a snapshot.
//!
//! A look at a few rows by their key takes microseconds from memory, less than handing it to a thread and back: it is made where it is
//! asked for ([`Here`]). On a disk so slow that this holds a request's thread up, it holds it up for one page of the file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::fault::Fault;
use crate::store::StoreError;

/// Some threads and the queue they work on. Dropping it finishes the queue and joins the threads.
pub(super) struct Worker {
    /// Absent only while dropping.
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// The writing thread.
    pub(super) fn writer(conn: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(QUEUE_LENGTH);
        let thread = spawn("store-writer", move || write_until_closed(&conn, queue))?;
        Ok(Self {
            jobs: Some(jobs),
            threads: vec![thread],
        })
    }

    /// A reading thread for each connection.
    pub(super) fn readers(conns: Vec<Connection>) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(QUEUE_LENGTH);
        let queue = Arc::new(Mutex::new(queue));
        let threads = conns.into_iter().map(|conn| {
            let queue = Arc::clone(&queue);
            spawn("store-reader", move || read_until_closed(&conn, &queue))
        });
        Ok(Self {
            jobs: Some(jobs),
            threads: threads.collect::<Result<_, _>>()?,
        })
    }

    /// Has an operation done; waits for room in the queue, then for the outcome. If the caller stops waiting, it is done all the same.
    pub(super) async fn run<T, F>(&self, what: &'static str, operation: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let stopped = || StoreError::Unavailable { what, cause: None };
        let (reply, outcome) = oneshot::channel();
        let task = Task {
            what,
            operation: Some(operation),
            result: None,
            reply,
        };
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(Box::new(task)).await.map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())?
    }
}

/// Connections for looks at a few rows, made on the caller's thread.
pub(super) struct Here(Vec<Mutex<Connection>>);

impl Here {
    pub(super) fn new(conns: Vec<Connection>) -> Self {
        Self(conns.into_iter().map(Mutex::new).collect())
    }

    /// Has a look, on a connection that nobody uses at the moment; without one the `readers` do it.
    pub(super) async fn run<T, F>(
        &self,
        readers: &Worker,
        what: &'static str,
        operation: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        match self.now(what, operation) {
            Ok(outcome) => outcome,
            // Rare, and its future large.
            Err(operation) => Box::pin(readers.run(what, operation)).await,
        }
    }

    /// The operation back, if every connection is in use.
    fn now<T, F>(&self, what: &'static str, operation: F) -> Result<Result<T, StoreError>, F>
    where
        F: FnOnce(&Connection) -> Result<T, Fault>,
    {
        let free = self.0.iter().find_map(|conn| match conn.try_lock() {
            Ok(conn) => Some(conn),
            Err(TryLockError::Poisoned(conn)) => Some(conn.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        match free {
            Some(conn) => Ok(guarded(what, || operation(&conn))),
            None => Err(operation),
        }
    }
}

/// One operation's panic must not take the store from everybody.
fn guarded<T>(
    what: &'static str,
    operation: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(operation)).map_or_else(
        |_| Err(StoreError::Unavailable { what, cause: None }),
        |result| result.map_err(|fault| fault.named(what)),
    )
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

/// An operation on its way through a thread, whatever it returns.
trait Job: Send {
    /// Does it, once. An error means that it must leave no trace.
    fn run(&mut self, conn: &Connection) -> Result<(), StoreError>;

    /// Answers the caller, once the fate of the transaction is known.
    fn settle(self: Box<Self>, transaction: Result<(), StoreError>);
}

struct Task<T, F> {
    what: &'static str,
    /// Absent once it has run.
    operation: Option<F>,
    /// Absent until it has run.
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn run(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let Some(operation) = self.operation.take() else {
            return Ok(());
        };
        let result = guarded(self.what, || operation(conn));
        let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn settle(self: Box<Self>, transaction: Result<(), StoreError>) {
        let answer = match (transaction, self.result) {
            (_, Some(Err(own))) => Err(own),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Err(shared), _) => Err(shared),
            (Ok(()), None) => Err(StoreError::Unavailable {
                what: self.what,
                cause: None,
            }),
        };
        // A caller that has gone away needs no answer.
        let _ = self.reply.send(answer);
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    let thread = Builder::new().name(name.to_owned()).spawn(body);
    thread.map_err(|error| StoreError::unavailable("start its threads", error))
}

fn read_until_closed(conn: &Connection, queue: &Mutex<mpsc::Receiver<Box<dyn Job>>>) {
    loop {
        // The lock is held while waiting: the other readers then wait for the lock instead of the queue.
        let next = queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv();
        let Some(mut job) = next else {
            return;
        };
        // Its error is in the job already; a read has no transaction to fail.
        let _ = job.run(conn);
        job.settle(Ok(()));
    }
}

fn write_until_closed(conn: &Connection, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut batch = Vec::with_capacity(BATCH_LENGTH);
    while queue.blocking_recv_many(&mut batch, BATCH_LENGTH) > 0 {
        let outcome = commit(conn, &mut batch).map_err(|fault| fault.named("commit"));
        if outcome.is_err() && !conn.is_autocommit() {
            // If even this fails, the next BEGIN says so.
            let _ = conn.execute_batch("ROLLBACK");
        }
        for job in batch.drain(..) {
            job.settle(outcome.clone());
        }
    }
}

/// Runs a batch in one transaction. An error means that nothing of it was written.
fn commit(conn: &Connection, batch: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    // IMMEDIATE: the lock is taken before anything is read, so no read can be out of date at the first write.
    conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for job in batch {
        conn.prepare_cached("SAVEPOINT operation")?.execute([])?;
        if let Err(error) = job.run(conn) {
            if conn.is_autocommit() {
                // SQLite gave up the whole transaction, as it may when the disk is full: the writes before this one are gone too.
                return Err(error.into());
            }
            conn.prepare_cached("ROLLBACK TO operation")?.execute([])?;
        }
        conn.prepare_cached("RELEASE operation")?.execute([])?;
    }
    conn.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// How many operations may wait; more wait outside, where the request's deadline reaches them.
const QUEUE_LENGTH: usize = 1024;
/// How many writes share a commit at most: one takes some 20 µs, so the first waits 3 ms for the others at worst.
const BATCH_LENGTH: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_is_made_here_or_else_by_a_thread() {
        let conn = || Connection::open_in_memory().unwrap();
        let here = Here::new(vec![conn()]);
        let readers = Worker::readers(vec![conn()]).unwrap();
        let place = |_: &Connection| Ok(std::thread::current().id());
        let own = std::thread::current().id();
        assert_eq!(here.run(&readers, "look", place).await.unwrap(), own);
        let taken = here.0[0].lock().unwrap();
        let elsewhere = here.now("look", place).err().unwrap();
        drop(taken);
        assert_ne!(readers.run("look", elsewhere).await.unwrap(), own);
        let panics = |_: &Connection| -> Result<(), Fault> { panic!("on purpose") };
        assert!(here.run(&readers, "look", panics).await.is_err());
        assert_eq!(here.run(&readers, "look", place).await.unwrap(), own);
    }
}
