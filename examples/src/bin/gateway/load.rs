//! Reading files once, for the commands that do not serve.

use std::io;
use std::path::Path;

use gateway_core::options::Options;
use gateway_examples::demo::Demo;
use gateway_examples::files::FileStore;
use gateway_examples::state::{State, Update};

use crate::args::Source;

/// What the files hold now. The backends of the demo live as long as what comes with it.
pub(crate) fn load(source: &Source, options: Options) -> io::Result<(Update, Option<Demo>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut state, demo) = runtime.block_on(state(source, options))?;
    let update = state.update().expect("the first look gives an update");
    Ok((update, demo))
}

/// The state of the files, not looked at yet.
pub(crate) async fn state(source: &Source, options: Options) -> io::Result<(State, Option<Demo>)> {
    // Later a path may vanish and come again; at the start it is a mistake.
    if let Some(path) = source.paths.iter().find(|path| !path.exists()) {
        return Err(missing(path));
    }
    let mut files = FileStore::new(source.paths.clone());
    let demo = if source.demo { Some(Demo::start(&mut files).await?) } else { None };
    Ok((State::new(files, options), demo))
}

fn missing(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{}: there is no such file or folder", path.display()))
}
