"""A notification service that hangs: it owns the name, and never answers anybody."""

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NOTIFICATIONS = "org.freedesktop.Notifications"


class Mute(dbus.service.Object):
    @dbus.service.method(NOTIFICATIONS, in_signature="susssasa{sv}i", out_signature="u", async_callbacks=("yes", "no"))
    def Notify(self, app, replaces, icon, summary, body, actions, hints, timeout, yes, no):
        pass

    @dbus.service.method(NOTIFICATIONS, out_signature="as", async_callbacks=("yes", "no"))
    def GetCapabilities(self, yes, no):
        pass


DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
name = dbus.service.BusName(NOTIFICATIONS, bus)
mute = Mute(bus, "/org/freedesktop/Notifications")
print("ready", flush=True)
GLib.timeout_add_seconds(300, GLib.MainLoop().quit)
GLib.MainLoop().run()
