//! An HTTP server on loopback with a thread of its own: a test's blocking, or the end of its own runtime, never stops it.

use std::{
    convert::Infallible,
    error::Error,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as Listener},
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::oneshot};

/// A server that serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

/// A port that the system chose. Who connects from now on is served as soon as somebody [serves](serve) it.
pub(crate) fn listen() -> io::Result<(Listener, SocketAddr)> {
    let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves with these answers. A request whose answer is an error has its connection cut.
pub(crate) fn serve<A, F, B, E>(name: &str, listener: Listener, answer: A) -> io::Result<Serving>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let serving = move || {
        runtime.block_on(async {
            tokio::select! {
                () = accept(listener, answer) => {}
                _ = stopped => {}
            }
        });
        // What still runs for somebody's answer has nobody to answer any more.
        runtime.shutdown_background();
    };
    let thread = thread::Builder::new().name(name.to_owned()).spawn(serving)?;
    Ok(Serving {
        stop: Some(stop),
        thread: Some(thread),
    })
}

async fn accept<A, F, B, E>(listener: Listener, answer: A)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    // It fails only outside of a runtime.
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let service = service_fn(answer.clone());
        tokio::spawn(async move {
            // A client that goes away, or that a fault sends away, is no matter of ours.
            drop(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), service)
                    .await,
            );
        });
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It ends by itself, or has panicked: then its clients have seen it.
            drop(thread.join());
        }
    }
}
