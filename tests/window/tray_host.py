"""A tray without a panel: takes icons in, tells of them, and uses their menus, for the tests.

  tray_host.py serve               owns the watcher's name; prints one JSON line for each icon that comes
  tray_host.py look SENDER PATH    prints the icon's properties and its menu as JSON
  tray_host.py click SENDER PATH LABEL    chooses a menu entry
"""

import json
import sys

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
PROPERTIES = "org.freedesktop.DBus.Properties"


class Watcher(dbus.service.Object):
    @dbus.service.method(WATCHER, in_signature="s", sender_keyword="sender")
    def RegisterStatusNotifierItem(self, service, sender=None):
        path = service if service.startswith("/") else "/StatusNotifierItem"
        print(json.dumps({"sender": str(sender), "path": str(path)}), flush=True)

    @dbus.service.method(WATCHER, in_signature="s")
    def RegisterStatusNotifierHost(self, service):
        pass

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return self.GetAll(interface)[name]

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return {
            "IsStatusNotifierHostRegistered": True,
            "ProtocolVersion": dbus.Int32(0),
            "RegisteredStatusNotifierItems": dbus.Array([], signature="s"),
        }


def entries(bus, sender, path):
    """The menu as (id, label, enabled), separators left out."""
    menu = bus.get_object(sender, properties(bus, sender, path)["Menu"])
    _, (_, _, children) = menu.GetLayout(0, -1, [], dbus_interface=MENU)
    for number, values, _ in children:
        if values.get("type") != "separator":
            yield int(number), str(values.get("label", "")), bool(values.get("enabled", True))


def properties(bus, sender, path):
    return bus.get_object(sender, path).GetAll(ITEM, dbus_interface=PROPERTIES)


def main():
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    command, words = sys.argv[1], sys.argv[2:]
    if command == "serve":
        name = dbus.service.BusName(WATCHER, bus)
        Watcher(bus, "/StatusNotifierWatcher")
        print(json.dumps({"ready": str(name.get_name())}), flush=True)
        GLib.timeout_add_seconds(300, sys.exit)
        GLib.MainLoop().run()
    elif command == "look":
        found = properties(bus, *words)
        menu = [{"label": label, "enabled": enabled} for _, label, enabled in entries(bus, *words)]
        print(json.dumps({"icon": str(found.get("IconName", "")), "title": str(found.get("Title", "")), "menu": menu}))
    elif command == "click":
        sender, path, wanted = words
        number = next(n for n, label, _ in entries(bus, sender, path) if label == wanted)
        menu = bus.get_object(sender, properties(bus, sender, path)["Menu"])
        menu.Event(number, "clicked", dbus.String("", variant_level=1), dbus.UInt32(0), dbus_interface=MENU)


main()
