"""MySQL, which only Debian sid has."""

from __future__ import annotations

from tests.servers.backends.mariadb import MariadbBackend


class MysqlBackend(MariadbBackend):
    """MySQL of the distribution."""

    name = "mysql"
    # 9.7
    systems = ("debian-sid",)
    packages = ("mysql-server",)
    service = "mysql"
    next_id = ""
    configuration = "/etc/mysql/mysql.conf.d/zz-lab.cnf"
