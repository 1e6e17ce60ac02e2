#!/bin/sh
# Remove from a Debian with Python what no process of Murmur calls: package managers, Perl,
# documentation, parts of Python's library that only people at a terminal need, and, last, shells.
# The list of Debian's packages stays for scanners: what they then report is rather too much.
set -eu

echo 'murmur:x:10001:10001:Murmur:/var/lib/murmur:/usr/sbin/nologin' >> /etc/passwd
echo 'murmur:x:10001:' >> /etc/group

rm -rf /usr/share/doc /usr/share/man /usr/share/info /usr/share/locale /usr/share/i18n \
    /usr/share/perl5 /usr/share/bash-completion /usr/share/lintian /usr/share/common-licenses \
    /usr/share/debconf /usr/share/gcc* /usr/lib/apt /usr/lib/dpkg /usr/lib/*-linux-gnu/perl* \
    /usr/lib/*-linux-gnu/gconv /usr/lib/*-linux-gnu/libapt* /usr/lib/locale /usr/lib/systemd \
    /usr/lib/*-linux-gnu/security /usr/lib/udev /var/cache /var/log /usr/share/zsh
# Time zones come with the locked package tzdata.
rm -rf /usr/share/zoneinfo
for library in /usr/local/lib/python3.* /usr/lib/python3.*; do
    rm -rf "$library/test" "$library/idlelib" "$library/tkinter" "$library/turtledemo" \
        "$library/turtle.py" "$library/ensurepip" "$library/lib2to3" "$library/pydoc_data" \
        "$library/site-packages" "$library"/config-* "$library/__phello__"
done
rm -rf /usr/local/include /usr/local/share /usr/local/lib/pkgconfig /usr/local/lib/libpython*.a \
    /usr/share/python-wheels /usr/local/bin/idle* /usr/local/bin/pip* /usr/local/bin/pydoc*
# Compiled by hash and never checked: the same sources give the same image, and nothing is compiled
# at a start on a read-only file system.
find /usr -depth -type d -name __pycache__ -exec rm -rf {} +
for library in /usr/local/lib/python3.* /usr/lib/python3.*; do
    test ! -d "$library" || PYTHONHASHSEED=0 python3 -m compileall -q \
        --invalidation-mode unchecked-hash "$library"
done
mkdir -p /var/cache /var/log
rm -f /slim_system.sh

# Programs of the system: all but Python, the loader's and what starts it. One `rm` removes its own
# file last.
find /usr/bin /usr/sbin -mindepth 1 ! -name 'python3*' ! -name ldconfig ! -name rm ! -name find \
    ! -name sh ! -name dash -exec rm -f {} +
# Libraries of the programs that are gone, rm's own among them: it is loaded already.
exec rm -rf /usr/lib/*-linux-gnu/libdb-5* /usr/lib/*-linux-gnu/libsystemd* \
    /usr/lib/*-linux-gnu/libsepol* /usr/lib/*-linux-gnu/libgmp* /usr/lib/*-linux-gnu/libmount* \
    /usr/lib/*-linux-gnu/libblkid* /usr/lib/*-linux-gnu/libudev* /usr/lib/*-linux-gnu/libpam* \
    /usr/bin/find /usr/bin/sh /usr/bin/dash /usr/bin/rm
