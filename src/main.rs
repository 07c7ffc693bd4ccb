//! The program `peildatum`.

fn main() -> std::process::ExitCode {
    peildatum::cli::run()
}
