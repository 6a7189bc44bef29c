//! Sending several requests before the first answer is awaited.
//!
//! A request of tokio-postgres is put on the wire when its future is first polled. Polling the futures in
//! order therefore sends the requests in order, in one go, and their answers come back together.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

pub(super) type Request<'a, T> = Pin<Box<dyn Future<Output = Result<T, tokio_postgres::Error>> + Send + 'a>>;

/// Sends the requests in order and awaits all answers, also behind one that failed: the server answers each.
pub(super) async fn in_order<T>(mut requests: Vec<Request<'_, T>>) -> Vec<Result<T, tokio_postgres::Error>> {
    let mut answers: Vec<Option<Result<T, tokio_postgres::Error>>> = requests.iter().map(|_| None).collect();
    poll_fn(|cx| {
        let mut waiting = false;
        for (request, answer) in requests.iter_mut().zip(&mut answers) {
            if answer.is_none() {
                match request.as_mut().poll(cx) {
                    Poll::Ready(outcome) => *answer = Some(outcome),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    answers.into_iter().flatten().collect()
}
