//! The desktop shell: glue between the runtime and the operating system's window, tray and notifications.
